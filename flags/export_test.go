package flags

// Place is what a hash makes of a context, for tests that stand outside.
func (h *HashInput) Place(c *Context) (int, bool) { return h.bucket(c) }
