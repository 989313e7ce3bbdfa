package groupseq

// Design is a test whose looks spend its error as a function of the
// information, so that neither their number nor their times need to be kept to
// [LD].
type Design struct {
	Alpha       float64   // error of all sides together
	Sides       int       // 1 or 2; zero means 1. Two sides have the same bound, and half of the error each.
	Information []float64 // at the looks, as fractions of what is planned; a last one above 1 is an overrun
	Spending    Spending
}

// Boundary returns the bounds of the looks. An overrun spends the rest of the
// error at the information that it has: fractions are never scaled to it, for
// the bounds of earlier looks cannot be taken back. A look after the error is
// spent has no bound to cross.
func (d Design) Boundary() (Boundary, error) {
	d.Sides = max(d.Sides, 1)
	if err := d.fault(); err != nil {
		return Boundary{}, err
	}
	var p Path
	b := Boundary{Alpha: d.Alpha, Sides: d.Sides}
	side := d.Alpha / float64(d.Sides)
	for _, t := range d.Information {
		if b.again(t) {
			continue
		}
		spent, _ := p.Crossed()
		s := p.To(t)
		p = b.add(s, s.Upper(d.Spending.Spent(side, t)-spent))
	}
	return b, nil
}

func (d Design) fault() error {
	if err := levels(d.Alpha, d.Sides); err != nil {
		return err
	}
	if err := growing(d.Information); err != nil {
		return err
	}
	return d.Spending.Fault()
}
