package event

// Message is one entry of a stream that is not the log: a pack of facts, a
// dead letter. The stream gives it a sequence and knows nothing of its content.
type Message struct {
	Seq  uint64 // place in its stream, from 1
	ID   string // the publisher's; a repeat of the same ID is the same message
	Data []byte
}
