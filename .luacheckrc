std = "max"
max_line_length = 120
exclude_files = { "build" }
files["lua/resty"] = { std = "max+ngx_lua" }
files["spec"] = { std = "max+busted" }
files["spec/support/worker.lua"] = { std = "max+ngx_lua" }
files["conformance"] = { std = "max+busted" }
files["lua/dsclient/runtime/nginx.lua"] = { std = "max+ngx_lua" }
files["lua/dsclient/transport/cosocket.lua"] = { std = "max+ngx_lua" }
files["bench/inside_nginx.lua"] = { std = "max+ngx_lua" }
files["spec/support/inside_nginx.lua"] = { std = "max+ngx_lua" }
files["spec/support/nginx_runtime_suite.lua"] = { std = "max+ngx_lua" }
