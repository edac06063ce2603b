package collector

import (
	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type resolver = *simulator.Context

// collect reads everything that the specifications choose, once.
func (s *Service) collect(call *dispatch.Call, specs []types.PropertyFilterSpec) ([]types.ObjectContent, soap.HasFault) {
	var contents []types.ObjectContent
	for _, spec := range specs {
		if fault := check(call.Context, spec); fault != nil {
			return nil, fault
		}
		chosen := choose(call.Context, spec, s.hidden)
		for _, object := range chosen.order {
			if !chosen.selected[object] {
				continue
			}
			paths := chosen.wanted[object].paths
			values, ok := read(call.Context, object, paths)
			if !ok {
				continue
			}
			content := types.ObjectContent{Obj: object}
			for _, path := range paths {
				if value := values[path]; value != nil {
					content.PropSet = append(content.PropSet, types.DynamicProperty{Name: path, Val: value})
				}
			}
			contents = append(contents, content)
		}
	}
	return contents, nil
}

func (s *Service) retrieve(call *dispatch.Call, body *types.RetrieveProperties) soap.HasFault {
	contents, fault := s.collect(call, body.SpecSet)
	if fault != nil {
		return fault
	}
	return &methods.RetrievePropertiesBody{Res: &types.RetrievePropertiesResponse{Returnval: contents}}
}

func (s *Service) retrieveEx(call *dispatch.Call, body *types.RetrievePropertiesEx) soap.HasFault {
	contents, fault := s.collect(call, body.SpecSet)
	if fault != nil {
		return fault
	}
	response := &methods.RetrievePropertiesExBody{Res: &types.RetrievePropertiesExResponse{}}
	if len(contents) > 0 {
		response.Res.Returnval = s.split(contents, int(body.Options.MaxObjects))
	}
	return response
}

// split keeps what is more than the client wants at once for its next question.
func (s *Service) split(contents []types.ObjectContent, most int) *types.RetrieveResult {
	if most <= 0 || most >= len(contents) {
		return &types.RetrieveResult{Objects: contents}
	}
	token := uuid.NewString()
	s.mu.Lock()
	s.pages[token] = page{contents[most:], most}
	s.mu.Unlock()
	return &types.RetrieveResult{Token: token, Objects: contents[:most]}
}

type page struct {
	contents []types.ObjectContent
	most     int
}

func (s *Service) page(token string) (page, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pages[token]
	delete(s.pages, token)
	return p, ok
}

func (s *Service) continueRetrieve(body *types.ContinueRetrievePropertiesEx) soap.HasFault {
	p, ok := s.page(body.Token)
	if !ok {
		return dispatch.Refuse(&types.InvalidProperty{Name: "token"}, "unknown token %q", body.Token)
	}
	return &methods.ContinueRetrievePropertiesExBody{Res: &types.ContinueRetrievePropertiesExResponse{
		Returnval: *s.split(p.contents, p.most),
	}}
}
