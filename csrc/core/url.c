#include "core/url.h"

#include <stdbool.h>

static bool unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

size_t dsc_url_escape(char *out, const char *text, size_t length) {
  static const char digits[] = "0123456789ABCDEF";
  char *at = out;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (unreserved(c)) {
      *at++ = (char)c;
      continue;
    }
    *at++ = '%';
    *at++ = digits[c >> 4];
    *at++ = digits[c & 15];
  }
  return (size_t)(at - out);
}
