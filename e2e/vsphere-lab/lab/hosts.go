package lab

import "errors"

// FailHost makes a host die.
func (l *Lab) FailHost(name string) error { return errors.New("not yet " + name) }

// RecoverHost brings a host back.
func (l *Lab) RecoverHost(name string) error { return errors.New("not yet " + name) }
