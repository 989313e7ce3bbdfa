package warehouse

import (
	"context"
	"fmt"
	"time"
)

// Topic is what facts are about.
type Topic struct {
	Kind        string // TopicExposures, TopicEvents or TopicDeployments
	Environment string
	Name        string // of the flag or of the event; "" of deployments
}

// The kinds of topics.
const (
	TopicExposures   = "exposures"
	TopicEvents      = "events"
	TopicDeployments = "deployments"
)

const cameSQL = `SELECT '` + TopicExposures + `', environment, flag, toUnixTimestamp64Milli(max(at)) FROM exposures WHERE ` + ofMessages + ` GROUP BY environment, flag
UNION ALL SELECT '` + TopicEvents + `', environment, name, toInt64(0) FROM metrics WHERE ` + ofMessages + ` GROUP BY environment, name
UNION ALL SELECT '` + TopicDeployments + `', environment, '', toInt64(0) FROM deployments WHERE ` + ofMessages + ` GROUP BY environment`

// Came says what the messages of a shard behind one and up to another are about,
// whoever they are of, and of exposures the latest time that they say. It is of
// what is stored, so that the later one should be no later than the watermark.
func (w *Warehouse) Came(ctx context.Context, shard string, behind, upTo uint64) (map[Topic]time.Time, error) {
	rows, err := query(ctx, w.reader, cameSQL, Params{"shard": shard, "from_seq": behind + 1, "to_seq": upTo})
	if err != nil {
		return nil, fmt.Errorf("asking what came to %s: %w", shard, err)
	}
	defer rows.Close()
	out := map[Topic]time.Time{}
	for rows.Next() {
		var t Topic
		var at int64
		if err := rows.Scan(&t.Kind, &t.Environment, &t.Name, &at); err != nil {
			return nil, fmt.Errorf("asking what came to %s: %w", shard, err)
		}
		out[t] = later(time.Time{}, at)
	}
	return out, rows.Err()
}
