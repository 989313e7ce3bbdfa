package flags

// Revision returns the highest revision among the flags, 0 when there is none:
// while it stays, so does every compiled Set.
func (s *State) Revision() uint64 {
	var last uint64
	for _, r := range s.flags {
		last = max(last, r.Revision)
	}
	return last
}
