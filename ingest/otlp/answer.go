package otlp

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
)

// Answer returns an ExportLogsServiceResponse: all was taken, or all but so many
// records, and why.
func Answer(media string, rejected int, why string) []byte {
	if rejected == 0 {
		if media == Protobuf {
			return nil // the empty message
		}
		return []byte("{}")
	}
	if media == Protobuf {
		partial := binary.AppendUvarint([]byte{partialRejected<<fieldAndTypeBits | typeVarint}, uint64(rejected))
		partial = appendText(partial, partialMessage, why)
		return appendText(nil, responsePartial, string(partial))
	}
	body, _ := json.Marshal(map[string]any{"partialSuccess": map[string]string{ // text alone: it encodes
		"rejectedLogRecords": strconv.Itoa(rejected), "errorMessage": why,
	}})
	return body
}

// Status returns the google.rpc.Status that an error is answered with. The
// protocol looks at the HTTP status alone; the message is for people.
func Status(media, why string) []byte {
	if media == Protobuf {
		return appendText(nil, statusMessage, why)
	}
	body, _ := json.Marshal(map[string]string{"message": why}) // text alone: it encodes
	return body
}

func appendText(b []byte, number int, text string) []byte {
	b = append(b, byte(number<<fieldAndTypeBits|typeBytes))
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}
