/*
** Dates as HTTP writes them, in seconds since 1970, and the calendar they
** need. No clock is asked.
*/
#ifndef DSC_DATE_H
#define DSC_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* Days since 1970-01-01 in the Gregorian calendar. */
int64_t dsc_days(int64_t year, int64_t month, int64_t day);
int64_t dsc_days_in_month(int64_t year, int64_t month);

/* The three forms of RFC 9110, 5.6.7; false for any other text. */
bool dsc_http_date(const char *text, int64_t *seconds);

#endif
