package state

import "strings"

// clean replaces what is not UTF-8, which neither JSON nor protobuf can carry, and cuts what is too long before a character.
func clean(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) > MessageLimit {
		message = strings.ToValidUTF8(message[:MessageLimit], "")
	}
	return message
}
