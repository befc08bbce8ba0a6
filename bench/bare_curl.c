/*
** The measure for the cost of a call: a loop over one keep-alive connection
** with nothing around libcurl. Prints the CPU time of one call in µs. It asks
** for gzip as dsclient does, so that the answers are the same.
**
**   cc -O2 -o bare_curl bench/bare_curl.c -lcurl
**   bare_curl http://127.0.0.1:8080/dolphinscheduler/projects 2000 "token: x"
*/
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The buffer grows to the largest answer and stays. */
struct body {
  char *data;
  size_t length;
  size_t size;
};

static size_t on_body(char *data, size_t size, size_t count, void *ud) {
  struct body *body = (struct body *)ud;
  const size_t length = size * count;
  if (length > body->size - body->length) {
    char *grown = (char *)realloc(body->data, 2 * (body->length + length));
    if (grown == NULL)
      return 0;
    body->data = grown;
    body->size = 2 * (body->length + length);
  }
  memcpy(body->data + body->length, data, length);
  body->length += length;
  return length;
}

static double cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int get(CURL *easy, struct body *body, char *error) {
  long status = 0;
  body->length = 0;
  if (curl_easy_perform(easy) != CURLE_OK) {
    fprintf(stderr, "bare_curl: %s\n", error);
    return 0;
  }
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200)
    fprintf(stderr, "bare_curl: status %ld\n", status);
  return status == 200;
}

int main(int argc, char **argv) {
  char error[CURL_ERROR_SIZE] = "";
  struct body body = {NULL, 0, 0};
  if (argc != 4) {
    fprintf(stderr, "usage: bare_curl URL COUNT TOKEN-HEADER\n");
    return 2;
  }
  const long count = strtol(argv[2], NULL, 10);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL *easy = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, argv[3]);
  headers = curl_slist_append(headers, "Accept: application/json");
  curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)&body);
  int good = get(easy, &body, error); /* connects */
  const double begin_us = cpu_us();
  for (long i = 0; good && i < count; i++)
    good = get(easy, &body, error);
  if (good)
    printf("%.2f\n", (cpu_us() - begin_us) / (double)count);
  curl_slist_free_all(headers);
  curl_easy_cleanup(easy);
  curl_global_cleanup();
  free(body.data);
  return good ? 0 : 1;
}
