package flags

// Turnover names the flags that differ between two sets, each list sorted.
type Turnover struct {
	Added, Changed, Removed []string
}

// Empty reports whether no flag differs.
func (t Turnover) Empty() bool { return len(t.Added)+len(t.Changed)+len(t.Removed) == 0 }

// Since returns what became of the flags of an earlier set of the same
// environment. Sets that were recompiled from one another share what is alike,
// so this compares pointers; between unrelated sets every flag has changed.
func (t *Set) Since(old *Set) Turnover {
	var out Turnover
	if t == old {
		return out
	}
	for _, key := range t.keys {
		switch before, ok := old.flags[key]; {
		case !ok:
			out.Added = append(out.Added, key)
		case before != t.flags[key]:
			out.Changed = append(out.Changed, key)
		}
	}
	for _, key := range old.keys {
		if _, ok := t.flags[key]; !ok {
			out.Removed = append(out.Removed, key)
		}
	}
	return out
}
