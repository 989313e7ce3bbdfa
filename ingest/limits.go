package ingest

// Limits of one request and of its events. They are part of the API.
const (
	maxWire       = 1 << 20 // bytes as sent
	maxInflated   = 8 << 20 // bytes after decompression
	maxEvents     = 1000    // per request and per pack
	maxDepth      = 16      // nested arrays and objects
	maxKey        = 128     // bytes of a key, name, variant or kind
	maxUnitID     = 512     // bytes
	maxAttributes = 64      // per event
	maxAttribute  = 1024    // bytes of an attribute's value
	maxUnits      = 8       // kinds of units of one metric event
)
