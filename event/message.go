package event

// Message is one entry of a stream that is not the log: a pack of facts, a
// dead letter. The stream gives it a sequence and knows nothing of its content.
type Message struct {
	Seq  uint64 // place in its stream, from 1
	ID   string // the publisher's; a repeat of the same ID is the same message
	Data []byte

	// Traces say what led to the message, for whoever follows it through the
	// house: traceparents of W3C Trace Context, none where nobody traces. They
	// are no part of what the message says.
	Traces []string
}
