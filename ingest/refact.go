package ingest

import (
	"encoding/json"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// factOf returns the event that the rows of one place were made of, as it can
// be sent again: units are hashes.
func factOf(rows Rows) any {
	switch {
	case len(rows.Exposures) > 0:
		return exposureOf(rows.Exposures[0])
	case len(rows.Metrics) > 0:
		return metricOf(rows.Metrics)
	case len(rows.Deployments) > 0:
		r := rows.Deployments[0]
		return Deployment{
			Kind: KindDeployment, ID: r.ID, Service: r.Service, Version: r.Version, Environment: r.Environment,
			At: r.At, Attributes: r.Attributes, Synthetic: r.Synthetic,
		}
	case len(rows.Readings) > 0:
		r := rows.Readings[0]
		return Reading{
			Kind: KindReading, ID: r.ID, Name: r.Name, Value: valueOf(r.Value), Labels: r.Labels, At: r.At, Synthetic: r.Synthetic,
		}
	case len(rows.Control) > 0:
		r := rows.Control[0]
		return event.Recorded{Seq: r.Seq, Prev: r.Prev, Hash: r.Hash, Event: event.Event{
			ID: r.ID, Source: r.Source, Type: r.Type, Subject: r.Subject, Time: r.At, Actor: r.Actor, Cause: r.Cause,
			Data: json.RawMessage(r.Data),
		}}
	}
	return nil
}

func exposureOf(r ExposureRow) Exposure {
	return Exposure{
		Kind: KindExposure, ID: r.ID, Flag: r.Flag, Variant: r.Variant, Unit: Unit{r.UnitKind, hashedText(r.Unit)},
		Revision: r.Revision, Rollout: r.Rollout, Stage: r.Stage, Epoch: r.Epoch, Enrolled: r.Enrolled,
		Reason: r.Reason, At: r.At, Attributes: r.Attributes, Synthetic: r.Synthetic, Source: r.Source,
	}
}

func metricOf(rows []MetricRow) MetricEvent {
	r := rows[0]
	value := valueOf(r.Value)
	fact := MetricEvent{
		Kind: KindMetric, ID: r.ID, Name: r.Name, Value: &value, Units: map[string]string{},
		At: r.At, Attributes: r.Attributes, Synthetic: r.Synthetic,
	}
	for _, u := range rows {
		fact.Units[u.UnitKind] = hashedText(u.Unit)
	}
	return fact
}

// valueOf returns a fixed-point value as a number. Dividing is exact where
// multiplying by the inverse is not.
func valueOf(millionths int64) float64 { return float64(millionths) / 1e6 }

// placesOf returns the places of the events that have rows, each once, in
// order.
func placesOf(rows Rows) []Place {
	var places []Place
	rows.Each(func(_ Key, p Place) { places = append(places, p) })
	slices.SortFunc(places, Place.compare)
	return slices.Compact(places)
}

// shorten cuts text to at most n bytes, in whole runes.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	cut := 0
	for i := range text {
		if i > n {
			break
		}
		cut = i
	}
	return text[:cut]
}
