--- Schedule dates, without any zone.

local dates = require "dsclient.composed.dates"

describe("dates", function()
  it("go from one to another in steps", function()
    assert.same({ "2026-02-27 00:00:00", "2026-02-28 00:00:00", "2026-03-01 00:00:00" },
      dates.of { from = "2026-02-27", to = "2026-03-01" })
    assert.same({ "2026-01-01 22:30:00", "2026-01-01 23:30:00", "2026-01-02 00:30:00" },
      dates.of { from = "2026-01-01 22:30:00", to = "2026-01-02 01:00:00", step = "hour" })
    assert.same({ "2026-01-01 00:00:00", "2026-01-08 00:00:00" },
      dates.of { from = "2026-01-01", to = "2026-01-14", step = "week" })
    assert.same({ "2026-01-01 00:00:00", "2026-01-01 00:15:00" },
      dates.of { from = "2026-01-01", to = "2026-01-01 00:20:00", step = 900 })
    assert.same({}, dates.of { from = "2026-01-02", to = "2026-01-01" })
  end)

  it("keep their day of the month, as far as the month has it", function()
    assert.same({ "2025-11-30 02:00:00", "2025-12-30 02:00:00", "2026-01-30 02:00:00", "2026-02-28 02:00:00",
      "2026-03-30 02:00:00" }, dates.of { from = "2025-11-30 02:00:00", to = "2026-04-01", step = "month" })
    assert.same({ "2024-01-31 00:00:00", "2024-02-29 00:00:00", "2024-03-31 00:00:00" },
      dates.of { from = "2024-01-31", to = "2024-03-31", step = "month" })
    assert.same({ "2025-12-05 00:00:00", "2026-01-05 00:00:00" },
      dates.of { from = "2025-12-05", to = "2026-01-31", step = "month" })
  end)

  it("end with the last year that has a text", function()
    for _, step in ipairs { "month", "week", 1e300 } do
      assert.same({ "9999-12-31 00:00:00" }, dates.of { from = "9999-12-31", to = "9999-12-31", step = step })
    end
  end)

  it("of a list are put in order, each once", function()
    assert.same({ "2026-01-01 00:00:00", "2026-01-02 05:00:00" },
      dates.of { dates = { "2026-01-02 05:00:00", "2026-01-01", "2026-01-01 00:00:00" } })
  end)

  it("that are none are told", function()
    for _, case in ipairs {
      { { from = "2026-02-30", to = "2026-03-01" }, "from" },
      { { from = "2026-02-01", to = "tomorrow" }, "to" },
      { { from = 5, to = "2026-03-01" }, "from" },
      { { from = "2026-02-01", to = "2026-03-01", step = "year" }, "step" },
      { { from = "2026-02-01", to = "2026-03-01", step = 0.5 }, "step" },
      { { from = "2006-02-01", to = "2026-03-01", step = "hour" }, "to" },
      { { dates = { "2026-02-01", "x" } }, "dates" },
      { { dates = "2026-02-01" }, "dates" },
      { {}, "from" },
    } do
      local found, message, argument = dates.of(case[1])
      assert.is_nil(found)
      assert.is_string(message)
      assert.equal(case[2], argument)
    end
  end)
end)
