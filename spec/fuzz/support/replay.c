/*
** Runs a fuzz target over the files it is given, each in a process of its own,
** and names those that end it.
*/
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static void run(const char *path) {
  FILE *file = fopen(path, "rb");
  size_t length = 0, size = 0;
  uint8_t *data = NULL;
  REQUIRE(file != NULL);
  do {
    size += 65536;
    data = (uint8_t *)realloc(data, size);
    REQUIRE(data != NULL);
    length += fread(data + length, 1, size - length, file);
  } while (length == size);
  fclose(file);
  LLVMFuzzerTestOneInput(data, length);
  free(data);
}

static bool passes(const char *path) {
  int status;
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    run(path);
    exit(EXIT_SUCCESS);
  }
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  int failed = 0;
  for (int i = 1; i < argc; i++) {
    if (!passes(argv[i])) {
      fprintf(stderr, "fails: %s %s\n", argv[0], argv[i]);
      failed++;
    }
  }
  printf("%s: %d inputs, %d fail\n", argv[0], argc - 1, failed);
  return argc > 1 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
