--- Seeds that once failed, and what they found. They stay valid as long as the
-- plan that is drawn from a seed does; what they found has a spec of its own.

return {}
