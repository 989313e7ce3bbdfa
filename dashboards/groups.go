package dashboards

import "net/url"

// segmentLink returns the address of a segment's page.
func segmentLink(key string) string { return "/segments/" + url.PathEscape(key) }

// environmentLink returns the address of an environment's page.
func environmentLink(name string) string { return "/environments/" + url.PathEscape(name) }
