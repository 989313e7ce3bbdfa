package stream

// frame is a piece of a stream, encoded once and shared by all who read it.
// Frames are linked in the order in which they were published; what nobody
// reads any more, the garbage collector takes.
type frame struct {
	text     []byte
	revision uint64        // that a listener holds when it has the frame
	last     bool          // the stream ends here
	next     *frame        // written before ready is closed, never after
	ready    chan struct{} // closed when next is there: it wakes all who wait
}

// waiting reports whether more than the next frame is there.
func (f *frame) waiting() bool {
	select {
	case <-f.next.ready:
		return true
	default:
		return false
	}
}

// maxGaps bounds how many pieces a feed keeps, whatever listeners say they hold.
const maxGaps = 64

// feed is one sequence of frames. The hub's lock guards it; whoever has a frame
// may follow the links without it.
type feed struct {
	tail *frame
	// gap encodes what takes a listener from a revision to the newest one, nil
	// when it lacks nothing. Revision 0 is that of a listener that holds nothing,
	// and is given all; far says that this one lacks so much that it is, too.
	gap  func(from uint64) (text []byte, far bool)
	gaps map[uint64][]byte // what gap has said since the revision last moved
}

func newFeed(revision uint64, gap func(from uint64) (text []byte, far bool)) *feed {
	return &feed{tail: newFrame(nil, revision), gap: gap, gaps: map[uint64][]byte{}}
}

func newFrame(text []byte, revision uint64) *frame {
	return &frame{text: text, revision: revision, ready: make(chan struct{})}
}

// publish appends a frame and wakes who waits for one.
func (f *feed) publish(next *frame) {
	if next.revision != f.tail.revision {
		clear(f.gaps)
	}
	last := f.tail
	last.next, f.tail = next, next
	close(last.ready)
}

// catchUp returns what a listener at a revision lacks, as one piece, and the
// frame from which it goes on. Thousands come back with the same revision after
// a restart, and share the piece too. A revision from the future is one of
// another log, or of a replica that is ahead: whoever holds it holds nothing.
func (f *feed) catchUp(from uint64) ([]byte, *frame) {
	if from > f.tail.revision {
		from = 0
	}
	text, ok := f.gaps[from]
	if !ok {
		var far bool
		if text, far = f.gap(from); far {
			text, _ = f.catchUp(0) // one copy of everything, for all of them
		}
		if len(f.gaps) >= maxGaps {
			clear(f.gaps)
		}
		f.gaps[from] = text
	}
	return text, f.tail
}
