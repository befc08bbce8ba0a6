/*
** Percent-encoding (RFC 3986, 2.1). What is not unreserved is escaped, so the
** result stands in a path, in a query and in a form body alike.
*/
#ifndef DSC_URL_H
#define DSC_URL_H

#include <stddef.h>

/* One byte becomes at most this many. */
#define DSC_URL_GROWTH 3

/* Writes at most DSC_URL_GROWTH * length bytes to out; how many it were. */
size_t dsc_url_escape(char *out, const char *text, size_t length);

#endif
