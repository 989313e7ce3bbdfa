package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/stats"
)

// snapshot is what an experiment's metric was at one time: count, mean and
// variance of both arms, of all units so far.
type snapshot struct{ control, treatment stats.Moments }

// series are the snapshots of one metric of one variant of one experiment, in
// the order of time.
type series struct {
	name      string
	snapshots []snapshot
}

// asosFile is "ASOS Digital Experiments" (Liu, Cardoso, Couturier & McCoy,
// NeurIPS 2021, Datasets and Benchmarks), which is not part of this repository.
const asosFile = "asos_digital_experiments.csv"

// readASOS returns the series of the file. A snapshot of which something is
// missing is left out.
func readASOS(folder string) ([]series, error) {
	f, err := os.Open(filepath.Join(folder, asosFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", asosFile, err)
	}
	var all []series
	for _, row := range rows[1:] {
		name := row[0] + "/" + row[1] + "/" + row[2]
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, series{name: name})
		}
		if slices.Contains(row, "") {
			continue
		}
		s, err := snapshotOf(row[4:])
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", asosFile, err)
		}
		last := &all[len(all)-1]
		last.snapshots = append(last.snapshots, s)
	}
	return all, nil
}

// snapshotOf reads count_c, count_t, mean_c, mean_t, variance_c, variance_t.
func snapshotOf(fields []string) (s snapshot, err error) {
	var x [6]float64
	for i, text := range fields {
		if x[i], err = strconv.ParseFloat(text, 64); err != nil {
			return s, err
		}
	}
	arm := func(n, mean, variance float64) stats.Moments {
		return stats.Moments{N: int64(n), Mean: mean, M2: variance * max(n-1, 0)}
	}
	return snapshot{arm(x[0], x[2], x[4]), arm(x[1], x[3], x[5])}, nil
}

// left says whether the intervals of a series ever leave zero.
type left struct{ usable, fixed, band bool }

func (s series) left() (l left) {
	for _, at := range s.snapshots {
		c := stats.Compare([]stats.Stratum{{Control: stats.Mean(at.control), Treatment: stats.Mean(at.treatment)}}, stats.Options{})
		if c.Refused == nil {
			l = left{true, l.fixed || !c.Fixed.Contains(0), l.band || !c.Band.Contains(0)}
		}
	}
	return l
}

// asos is real experiments looked at as long as they ran.
func asos(p plan) *table {
	t := &table{title: "Real experiments: intervals that leave zero at some look",
		under: "ASOS Digital Experiments, every metric of every variant at every snapshot. Published for these data: 225 of 381 usable series for the fixed interval, 71 for the always-valid one.",
		head:  []string{"", "series", "share"}}
	all, err := readASOS(p.data)
	if err != nil {
		t.under = "Skipped: " + err.Error()
		return t
	}
	var usable, fixed, band int
	for _, s := range all {
		l := s.left()
		usable, fixed, band = usable+count(l.usable), fixed+count(l.fixed), band+count(l.band)
	}
	part := func(name string, n int) { t.add(name, fmt.Sprint(n), rate(float64(n)/float64(usable))) }
	part("usable", usable)
	part("fixed interval leaves zero", fixed)
	part("always-valid interval leaves zero", band)
	if usable != 381 || fixed != 225 || band != 71 {
		t.faults = append(t.faults, fmt.Sprintf("ASOS: %d of %d series leave zero, and %d the band", fixed, usable, band))
	}
	return t
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
