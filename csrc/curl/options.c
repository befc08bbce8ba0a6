#include "curl/attempt.h"

/* What holds for every request of every client, and why. */
static const struct {
  CURLoption option;
  long value;
} fixed[] = {
    {CURLOPT_NOSIGNAL, 1},       /* signals belong to the program */
    {CURLOPT_FOLLOWLOCATION, 0}, /* a redirect is an answer like any other */
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1}, /* a proxy's head is not the API's */
    {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
    {CURLOPT_PATH_AS_IS, 1}, /* a name ".." must not become another path */
    /* over HTTP/2 a refused stream is sent again */
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
#if LIBCURL_VERSION_NUM >= 0x075700
    {CURLOPT_QUICK_EXIT, 1}, /* never wait for a resolver thread */
#endif
#if LIBCURL_VERSION_NUM < 0x075500
    {CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS},
#endif
};

static CURLcode set_fixed(CURL *easy) {
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
    CURLcode code = curl_easy_setopt(easy, fixed[i].option, fixed[i].value);
    if (code != CURLE_OK)
      return code;
  }
  return CURLE_OK;
}

const char *ccurl_encodings(void) {
  const int features = curl_version_info(CURLVERSION_NOW)->features;
  return features & CURL_VERSION_LIBZ ? "gzip" : NULL;
}

static CURLcode set_given(CURL *easy, const struct ccurl_options *options) {
  const struct {
    CURLoption option;
    const char *value;
  } given[] = {
      {CURLOPT_USERAGENT, options->user_agent},
      {CURLOPT_PROXY, options->proxy},
      {CURLOPT_CAINFO, options->ca_file},
      {CURLOPT_SSLCERT, options->cert},
      {CURLOPT_SSLKEY, options->key},
      {CURLOPT_ACCEPT_ENCODING, ccurl_encodings()},
#if LIBCURL_VERSION_NUM >= 0x075500
      {CURLOPT_PROTOCOLS_STR, "http,https"},
#endif
  };
  for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
    if (given[i].value == NULL)
      continue;
    CURLcode code = curl_easy_setopt(easy, given[i].option, given[i].value);
    if (code != CURLE_OK)
      return code;
  }
  /* no real one is so long; without a limit libcurl takes a length that is no
  ** number of its own for none, and the answer for whole wherever it ends */
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)1 << 62);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->verify ? 2L : 0L);
  return curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, options->idle_max_s);
}

CURLcode ccurl_model(CURL **model, const struct ccurl_options *options) {
  *model = curl_easy_init();
  if (*model == NULL)
    return CURLE_OUT_OF_MEMORY;
  CURLcode code = set_fixed(*model);
  return code != CURLE_OK ? code : set_given(*model, options);
}
