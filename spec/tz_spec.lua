local tz = require "dsclient.tz"

local function local_text(zone, utc_s)
  return os.date("!%Y-%m-%d %H:%M:%S", utc_s + zone:offset(utc_s))
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local has_zones = io.open "/usr/share/zoneinfo/Europe/Berlin"
if has_zones then
  has_zones:close()
end

describe("a zone given as an offset", function()
  it("has it always", function()
    for name, offset_s in pairs {
      UTC = 0, GMT = 0, Z = 0, ["+08:00"] = 28800, ["-0330"] = -12600, ["GMT+8"] = 28800, ["UTC-05:30"] = -19800,
      ["+14:00"] = 50400,
    } do
      local zone = assert(tz.load(name))
      assert.equal(offset_s, zone:offset(0), name)
      assert.equal(offset_s, zone:offset(4e9), name)
      assert.equal(1000 - offset_s, zone:utc(1000), name)
    end
  end)

  it("is named by it", function()
    assert.equal("+08:00", tz.fixed(28800).name)
    assert.equal("-03:30", tz.fixed(-12600).name)
    assert.equal(-12600, tz.fixed(-12600):offset(0))
  end)
end)

describe("a name of a zone", function()
  it("leads to no other file", function()
    for _, name in ipairs { "", "..", "../passwd", "/etc/passwd", "a/../../b", ".hidden", "a b", "a\0b", "+99:00" } do
      local zone, message = tz.load(name)
      assert.is_nil(zone, name)
      assert.is_string(message)
    end
  end)

  it("that is unknown, or no zoneinfo, is told", function()
    local zone, message = tz.load "Nowhere/Land"
    assert.is_nil(zone)
    assert.matches('the time zone "Nowhere/Land" can\'t be read: ', message)
  end)
end)

describe("a time of the server", function()
  it("is read as if it were UTC", function()
    assert.equal(0, tz.parse "1970-01-01 00:00:00")
    assert.equal(1767225599, tz.parse "2025-12-31 23:59:59")
    assert.equal(951868799, tz.parse "2000-02-29 23:59:59")
    assert.is_nil(tz.parse "2025-12-31")
    assert.is_nil(tz.parse "")
  end)
end)

-- Zones that are made here, so that nothing depends on what is installed.
describe("a zoneinfo file", function()
  local folder, getenv

  local function bytes(value, size)
    local list = {}
    value = value < 0 and value + 256 ^ size or value
    for i = size, 1, -1 do
      list[i] = string.char(value % 256)
      value = math.floor(value / 256)
    end
    return table.concat(list)
  end

  local function block(version, size, transitions, offsets)
    local counts = { 0, 0, 0, #transitions, #offsets, 4 }
    local parts = { "TZif", version, ("\0"):rep(15) }
    for _, count in ipairs(counts) do
      parts[#parts + 1] = bytes(count, 4)
    end
    for _, transition in ipairs(transitions) do
      parts[#parts + 1] = bytes(transition[1], size)
    end
    for _, transition in ipairs(transitions) do
      parts[#parts + 1] = string.char(transition[2])
    end
    for _, offset_s in ipairs(offsets) do
      parts[#parts + 1] = bytes(offset_s, 4) .. "\0\0"
    end
    return table.concat(parts) .. "XXX\0"
  end

  local function make(name, data)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(data)
    file:close()
    return tz.load(name)
  end

  local function with_rules(rules, transitions, offsets)
    transitions, offsets = transitions or {}, offsets or { 0 }
    return make("Made", block("2", 4, {}, { 0 }) .. block("2", 8, transitions, offsets) .. "\n" .. rules .. "\n")
  end

  setup(function()
    folder = output("mktemp -d"):match "%S+"
    getenv = os.getenv
    os.getenv = function(name) -- luacheck: ignore
      return name == "TZDIR" and folder or getenv(name)
    end
  end)

  teardown(function()
    os.getenv = getenv -- luacheck: ignore
    os.execute("rm -r " .. folder)
  end)

  it("tells which offset holds from when on", function()
    local zone = assert(make("V1", block("\0", 4, { { -1000, 1 }, { 500, 0 } }, { 3600, -7200 })))
    assert.equal(3600, zone:offset(-1001))
    assert.equal(-7200, zone:offset(-1000))
    assert.equal(-7200, zone:offset(499))
    assert.equal(3600, zone:offset(500))
    assert.equal(3600, zone:offset(1e9))
  end)

  it("has times of 64 bits, where it is new enough", function()
    local zone = with_rules("", { { -5e9, 1 }, { 5e9, 0 } }, { 60, 120 })
    assert.equal(60, zone:offset(-6e9))
    assert.equal(120, zone:offset(0))
    assert.equal(60, zone:offset(6e9))
  end)

  it("has rules for the years to come", function()
    -- 2026: summer from March 29 to October 25 in Berlin; in Sydney the other way round
    local berlin = with_rules "CET-1CEST,M3.5.0,M10.5.0/3"
    assert.equal("2026-03-29 01:59:59", local_text(berlin, 1774745999))
    assert.equal("2026-03-29 03:00:00", local_text(berlin, 1774746000))
    assert.equal("2026-10-25 02:59:59", local_text(berlin, 1792889999))
    assert.equal("2026-10-25 02:00:00", local_text(berlin, 1792890000))
    local sydney = with_rules "AEST-10AEDT,M10.1.0,M4.1.0/3"
    assert.equal(39600, sydney:offset(1767225600))
    assert.equal(36000, sydney:offset(1782864000))
    assert.equal(19800, with_rules("<+0530>-5:30"):offset(0))
    assert.equal(-12600, with_rules("NST3:30NDT,M3.2.0,M11.1.0"):offset(1767225600))
    assert.equal(-9000, with_rules("NST3:30NDT,M3.2.0,M11.1.0"):offset(1782864000))
    -- by the number of a day: with February 29 counted, and without
    local julian, counted = with_rules "AAA0BBB,J60/0,J300", with_rules "AAA0BBB,59/0,300"
    assert.equal(0, julian:offset(tz.parse "2028-02-29 23:59:59"))
    assert.equal(3600, julian:offset(tz.parse "2028-03-01 00:00:00"))
    assert.equal(3600, counted:offset(tz.parse "2028-02-29 00:00:00"))
    -- Greenland's summer begins on the evening before a Sunday
    local nuuk = with_rules "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"
    assert.equal(-7200, nuuk:offset(1774745999))
    assert.equal(-3600, nuuk:offset(1774746000))
  end)

  it("that is cut or broken is none", function()
    local whole = block("2", 4, {}, { 0 }) .. block("2", 8, { { 0, 0 } }, { 0 }) .. "\nUTC0\n"
    assert(make("whole", whole))
    for size = 0, #whole - 7 do
      assert.is_nil((make("cut", whole:sub(1, size))), size)
    end
    assert.is_nil((make("index", block("\0", 4, { { 0, 7 } }, { 0 }))))
    assert.is_nil((make("count", "TZif\0" .. ("\0"):rep(15) .. ("\255"):rep(24))))
  end)

  it("turns what clocks show into times; of an hour that comes twice the later", function()
    local berlin = with_rules "CET-1CEST,M3.5.0,M10.5.0/3"
    assert.equal(1792893600, berlin:utc(tz.parse "2026-10-25 03:00:00"))
    assert.equal(1792889999 + 3600, berlin:utc(tz.parse "2026-10-25 02:59:59"))
    assert.equal(1792886399, berlin:utc(tz.parse "2026-10-25 01:59:59"))
    assert.equal(1774746000, berlin:utc(tz.parse "2026-03-29 03:00:00"))
    assert.equal(1774745999, berlin:utc(tz.parse "2026-03-29 01:59:59"))
    -- an hour that does not come
    assert.equal(1774746000 + 1800, berlin:utc(tz.parse "2026-03-29 02:30:00"))
    for utc_s = 1767225600, 1767225600 + 366 * 86400, 5000 do
      local shown = utc_s + berlin:offset(utc_s)
      local again = berlin:utc(shown)
      assert.is_true(again == utc_s or again == utc_s + 3600 and again + berlin:offset(again) == shown)
    end
  end)
end)

if has_zones then
  describe("the system's zones", function()
    it("are read as the system reads them", function()
      local names = { "Europe/Berlin", "America/St_Johns", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kolkata",
        "America/Nuuk", "Africa/Casablanca", "Etc/GMT-8" }
      local times = { 0, 500000000, 1000000000, 1774745999, 1774746000, 1792890000, 2000000000, 4000000000 }
      for _, name in ipairs(names) do
        local zone = assert(tz.load(name))
        for _, utc_s in ipairs(times) do
          local expected = output(("TZ=%s date -d @%d '+%%Y-%%m-%%d %%H:%%M:%%S'"):format(name, utc_s)):match "[^\n]*"
          assert.equal(expected, local_text(zone, utc_s), name)
        end
      end
    end)
  end)
end
