package decisions

import "github.com/sluice-hq/sluice/event"

// Percent is a share as plans write it: "5%".
type Percent = event.Percent

// All is 100%.
const All = event.Everybody

// Size is how much worse a metric gets, as plans write it: "30%" or "5x".
type Size = event.Size
