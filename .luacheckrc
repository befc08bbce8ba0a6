std = "max"
max_line_length = 120
exclude_files = { "build" }
files["spec"] = { std = "max+busted" }
files["conformance"] = { std = "max+busted" }
