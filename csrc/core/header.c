#include "core/header.h"

#include <string.h>
#include <strings.h>

bool dsc_header_is(const char *value, size_t length, const char *word) {
  size_t word_length = strlen(word);
  if (length < word_length || strncasecmp(value, word, word_length) != 0)
    return false;
  return length == word_length || value[word_length] == ';' ||
         value[word_length] == ' ';
}
