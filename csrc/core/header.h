/*
** What a header field says first: "attachment" of "attachment; filename=x".
*/
#ifndef DSC_HEADER_H
#define DSC_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* Is this the first word of the value, whatever parameters follow it? */
bool dsc_header_is(const char *value, size_t length, const char *word);

#endif
