/*
** A date that is read is the same date in each of the three forms of RFC 9110.
*/
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/date.h"
#include "harness.h"

/* The years 1 to 9999, and a leap second behind them. */
#define SECONDS_MIN INT64_C(-62135596800)
#define SECONDS_MAX INT64_C(253402300800)

static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                    "%a %b %e %H:%M:%S %Y",
                                    "%A, %d-%b-%y %H:%M:%S GMT"};

/* strftime writes a year before 1000 with fewer than the four digits. */
static void write(char *out, size_t size, const char *form,
                  const struct tm *at) {
  char with_year[64];
  const char *year = strstr(form, "%Y");
  size_t before = year != NULL ? (size_t)(year - form) : strlen(form);
  memcpy(with_year, form, before);
  with_year[before] = '\0';
  if (year != NULL) {
    int number = at->tm_year + 1900;
    for (int i = 3; i >= 0; i--, number /= 10)
      with_year[before + (size_t)i] = (char)('0' + number % 10);
    strcpy(with_year + before + 4, year + 2);
  }
  REQUIRE(strftime(out, size, with_year, at) > 0);
}

static void check(int64_t seconds) {
  time_t time = (time_t)seconds;
  struct tm at;
  REQUIRE(gmtime_r(&time, &at) != NULL);
  /* two digits of a year are read as one of these */
  bool near = at.tm_year >= 70 && at.tm_year < 170;
  for (size_t i = 0; i < COUNT(forms) - !near; i++) {
    char text[64];
    int64_t again;
    write(text, sizeof text, forms[i], &at);
    REQUIRE(dsc_http_date(text, &again) && again == seconds);
  }
}

/* A day that its month does not have would be one of the next. */
static void check_month(const char *text, int64_t seconds) {
  time_t time = (time_t)seconds;
  struct tm at;
  char month[8];
  REQUIRE(gmtime_r(&time, &at) != NULL);
  REQUIRE(strftime(month, sizeof month, "%b", &at) > 0);
  bool leaps = strstr(text, ":60") != NULL;
  REQUIRE(leaps || strstr(text, month) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = fuzz_text(data, size);
  int64_t seconds;
  if (dsc_http_date(text, &seconds)) {
    REQUIRE(seconds >= SECONDS_MIN && seconds <= SECONDS_MAX);
    check_month(text, seconds);
    if (seconds < SECONDS_MAX)
      check(seconds);
  }
  free(text);
  return 0;
}
