#include "core/date.h"

#include <stddef.h>
#include <string.h>

/* A year of two digits from here on is one of the last century. */
#define CENTURY_TURNS 70

/* Hinnant 2013, "chrono-compatible low-level date algorithms". */
int64_t dsc_days(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  int64_t era = year / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
         719468;
}

int64_t dsc_days_in_month(int64_t year, int64_t month) {
  return month == 12 ? 31
                     : dsc_days(year, month + 1, 1) - dsc_days(year, month, 1);
}

/* From 1; 0 where the three letters are no month. */
static int64_t month_of(const char *letters) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int64_t i = 0; i < 12; i++)
    if (memcmp(letters, months + 3 * i, 3) == 0)
      return i + 1;
  return 0;
}

struct fields {
  int64_t year, month, day, hour, minute, second;
};

/*
** Reads the text by its form: D, Y, h, m and s stand for digits of the field,
** d for a digit or a blank, bbb for the month; all else stands for itself.
*/
static bool read_form(const char *text, const char *form,
                      struct fields *fields) {
  for (size_t i = 0; form[i] != '\0'; i++) {
    int64_t *to = form[i] == 'Y'                     ? &fields->year
                  : form[i] == 'D' || form[i] == 'd' ? &fields->day
                  : form[i] == 'h'                   ? &fields->hour
                  : form[i] == 'm'                   ? &fields->minute
                  : form[i] == 's'                   ? &fields->second
                                                     : NULL;
    if (text[i] == '\0')
      return false;
    if (form[i] == 'b') {
      if (memchr(text + i, '\0', 3) != NULL)
        return false;
      fields->month = month_of(text + i);
      i += 2;
    } else if (to == NULL) {
      if (text[i] != form[i])
        return false;
    } else if (form[i] == 'd' && text[i] == ' ') {
      continue;
    } else if (text[i] < '0' || text[i] > '9') {
      return false;
    } else {
      *to = *to * 10 + (text[i] - '0');
    }
  }
  return text[strlen(form)] == '\0';
}

bool dsc_http_date(const char *text, int64_t *seconds) {
  struct fields at = {0, 0, 0, 0, 0, 0};
  const char *comma = strchr(text, ',');
  const char *blank = strchr(text, ' ');
  bool read;
  if (comma == NULL) {
    read = blank != NULL &&
           read_form(blank, " bbb dD hh:mm:ss YYYY", &at);
  } else if (strchr(comma, '-') == NULL) {
    read = read_form(comma, ", DD bbb YYYY hh:mm:ss GMT", &at);
  } else {
    read = read_form(comma, ", DD-bbb-YY hh:mm:ss GMT", &at);
    at.year += at.year < CENTURY_TURNS ? 2000 : 1900;
  }
  if (!read || at.month == 0 || at.year < 1 || at.day < 1 ||
      at.day > dsc_days_in_month(at.year, at.month) || at.hour > 23 ||
      at.minute > 59 || at.second > 60)
    return false;
  *seconds = dsc_days(at.year, at.month, at.day) * 86400 + at.hour * 3600 +
             at.minute * 60 + at.second;
  return true;
}
