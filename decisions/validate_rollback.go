package decisions

import "time"

// The bounds of the time that a rollback is proven in. Replicas say every few
// seconds what they hold, and events take as long to be counted.
const (
	shortestProof = 10 * time.Second
	longestProof  = 24 * time.Hour
)

// rollback checks where a rollback goes, and how it is proven.
func (c *planCheck) rollback() {
	r := c.plan.Rollback
	if r.To != toSafe && r.To != toPreviousStage {
		c.add("rollback.to", r.To, "is not a place to go back to", "write safe, or previousStage")
	}
	if r.Prove.UnsafeExposures >= All {
		c.add("rollback.prove.unsafeExposures", r.Prove.UnsafeExposures, "proves nothing", "write a share below 100%, such as 0.1%")
	}
	if within := time.Duration(r.Prove.Within); within < shortestProof || within > longestProof {
		c.add("rollback.prove.within", r.Prove.Within, "is not between 10s and 1d", "write one such as 5m")
	}
}
