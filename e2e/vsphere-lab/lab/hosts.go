package lab

// FailHost makes a host die.
func (l *Lab) FailHost(name string) error { return l.behavior.FailHost(l.dispatcher.System(), name) }

// RecoverHost brings a host back.
func (l *Lab) RecoverHost(name string) error {
	return l.behavior.RecoverHost(l.dispatcher.System(), name)
}
