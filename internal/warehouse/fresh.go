package warehouse

// fresh says which units are new enough for the question. Whoever met the
// rollout before, in this epoch or another, is in the same arm again: what was
// known of it by chance would be known once more, and count as news.
func (r *reading) fresh() string {
	if !r.remembers() {
		return "first >= {fresh:Int64}"
	}
	return `first >= {fresh:Int64} AND unit_hash NOT IN (
    SELECT unit_hash FROM (` + wholeUnits + `
    ) WHERE first < {fresh:Int64} AND NOT has({dark:Array(String)}, unit_stage))`
}

// keptFresh says the same of what is kept.
func (r *reading) keptFresh() string {
	if !r.remembers() {
		return "first >= {fresh:Int64}"
	}
	return `first >= {fresh:Int64} AND unit NOT IN (
    SELECT unit FROM assignments
    WHERE leaf IN {leaves:Array(UInt64)} AND rollout = {rollout:String} AND kind = {kind:String} AND seen = 0
      AND first < {fresh:Int64} AND NOT has({dark:Array(String)}, stage)
    GROUP BY epoch, unit, first, stage, arm, two HAVING sum(n) > 0)`
}

// remembers reports whether units of a rollout are asked for that were first
// exposed since a time.
func (r *reading) remembers() bool { return !r.Since.IsZero() && r.past == nil && r.served == nil }
