--- The server itself: its version.

return {
  product_info = {
    summary = "the server's version as it says it (3.3 and later)",
    method = "GET",
    path = "/ui-plugins/query-product-info",
    replay = "read",
    result = "object",
    params = {},
  },
}
