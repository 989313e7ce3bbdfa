package decisions

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// mostLinks is how many addresses a plan names at most: more is a list for a page
// of its own.
const mostLinks = 20

// links asks that every link leads somewhere: pages and tickets show it to be
// followed.
func (c *planCheck) links() {
	all := c.plan.Links
	if len(all) > mostLinks {
		c.add("links", len(all), fmt.Sprintf("are more than %d", mostLinks), "name those that whoever reads the record will want")
	}
	for i, link := range all {
		path := indexed("links[%d]", i)
		u, err := url.Parse(link)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			c.add(path, link, "is not an address", "write one such as https://tickets.example.com/PAY-17")
		case u.User != nil:
			c.add(path, nil, "holds a password", "everybody who may read plans could read it; leave it out")
		case slices.Contains(all[:i], link):
			c.add(path, link, "stands twice", "take one of them away")
		}
	}
}

// The bounds of the time after which somebody looks whether an effect held. In
// less than a day nobody has come since; after years the flag should be long
// gone.
const (
	shortestFollowUp = 24 * time.Hour
	longestFollowUp  = 2 * 365 * 24 * time.Hour
)

func (c *planCheck) followUp() {
	if after := time.Duration(c.plan.FollowUp); after != 0 && (after < shortestFollowUp || after > longestFollowUp) {
		c.add("followUp", c.plan.FollowUp, "is not between 1d and 730d", "write how long after the final decision somebody looks whether the effect held, such as 30d")
	}
}
