package behavior

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// licences takes the feature of serial ports over the network out of an answer, unless the vCenter has it.
func (b *Behavior) licences(answer soap.HasFault) soap.HasFault {
	body, ok := answer.(*methods.QueryAssignedLicensesBody)
	if !ok || body.Res == nil || b.options.SerialLicence {
		return answer
	}
	assigned := slices.Clone(body.Res.Returnval)
	for i := range assigned {
		licence := &assigned[i].AssignedLicense
		licence.Properties = slices.DeleteFunc(slices.Clone(licence.Properties), func(property types.KeyAnyValue) bool {
			feature, isFeature := property.Value.(types.KeyValue)
			return isFeature && strings.HasPrefix(feature.Key, "serialuri")
		})
	}
	return &methods.QueryAssignedLicensesBody{Res: &types.QueryAssignedLicensesResponse{Returnval: assigned}}
}
