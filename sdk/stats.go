package sdk

// Stats is what a provider has done since it was made. Every event that was
// added is sent, refused, dropped, or waits.
type Stats struct {
	Status

	Exposures uint64 // units that met an allocation's answer, each once in a window
	Tracked   uint64 // calls of Track

	Added   uint64 // events that were queued: exposures, tracked events, reports, and those that an earlier process left
	Sent    uint64 // the server has them on disk
	Waiting uint64 // in memory, on disk, or on their way
	Refused uint64 // never to be stored: Config.Refused was told why
	Dropped uint64 // there was no room for them, or they were lost with the queue

	DeadLetters uint64 // of Sent: wait on the server until a metric declares them
	Failures    uint64 // requests with events that had to be sent again
	Damaged     int64  // bytes of the queue's files that could not be read
	Disk        string // why Config.Dir is not used; empty: it is, or there is none
}

// Stats returns what was done so far.
func (p *Provider) Stats() Stats {
	c, _ := p.queue.see()
	return Stats{
		Status: p.Status(), Exposures: p.exposures.Load(), Tracked: p.tracked.Load(),
		Added: c.queued + c.unfit, Sent: c.sent, Waiting: c.queued - c.gone(), Refused: c.refused + c.unfit, Dropped: c.dropped,
		DeadLetters: c.dead, Failures: c.failed, Damaged: c.damaged, Disk: p.queue.disabled(),
	}
}
