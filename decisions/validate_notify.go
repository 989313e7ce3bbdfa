package decisions

import (
	"fmt"
	"strings"
)

// webhookMark is what stands before the key of a webhook in a plan.
const webhookMark = "webhook:"

// notified refuses to promise that somebody is told of a rollback when nobody
// would be.
func (c *planCheck) notified() {
	for i, to := range c.plan.Rollback.Notify {
		path := fmt.Sprintf("rollback.notify[%d]", i)
		key, ok := strings.CutPrefix(to, webhookMark)
		if !ok || key == "" {
			c.add(path, to, "names nobody who can be told", "write "+webhookMark+" and the key of a webhook, such as webhook:release")
			continue
		}
		if c.known.Webhook == nil {
			continue
		}
		if why := c.known.Webhook(key); why != "" {
			c.add(path, to, why, "apply a document of kind Webhook with this key, or resume it: sluice webhooks resume "+key)
		}
	}
}

// Webhooks returns the keys of those that are told of a rollback, whatever they
// listen to.
func (r RollbackPlan) Webhooks() []string {
	var keys []string
	for _, to := range r.Notify {
		if key, ok := strings.CutPrefix(to, webhookMark); ok {
			keys = append(keys, key)
		}
	}
	return keys
}
