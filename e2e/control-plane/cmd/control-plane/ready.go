package main

import (
	"context"
	"fmt"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// condition is something that must be true before the cluster can be used. Checking it may be repeated.
type condition struct {
	name  string
	check func(context.Context) error
}

func serverConditions(client kubernetes.Interface) []condition {
	return []condition{
		{"/readyz of the API server", func(ctx context.Context) error {
			return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		}},
	}
}

func clusterConditions(client kubernetes.Interface, settings settings) []condition {
	return []condition{
		{"the API server's access to kubelets", func(ctx context.Context) error {
			return allowKubeletAccess(ctx, client)
		}},
		{"the default ServiceAccount", func(ctx context.Context) error {
			_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
			return err
		}},
		{"the kubernetes service", func(ctx context.Context) error {
			_, err := client.CoreV1().Services("default").Get(ctx, "kubernetes", metav1.GetOptions{})
			return err
		}},
		{"the endpoint of the kubernetes service", func(ctx context.Context) error {
			return checkEndpoint(ctx, client, settings)
		}},
	}
}

// allowKubeletAccess grants the client certificate by which kube-apiserver calls kubelets the role made for it, so
// that a kubelet's authorisation is really asked, which a member of system:masters would pass by.
func allowKubeletAccess(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: kubeletClientName},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:kubelet-api-admin"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: kubeletClientName}},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func checkEndpoint(ctx context.Context, client kubernetes.Interface, settings settings) error {
	if settings.address.IsLoopback() {
		return nil
	}
	slice, err := client.DiscoveryV1().EndpointSlices("default").Get(ctx, "kubernetes", metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, endpoint := range slice.Endpoints {
		for _, address := range endpoint.Addresses {
			if address == settings.address.String() {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is not among them", settings.address)
}

// await waits for the conditions one after another; the timeout is for all of them together.
func await(ctx context.Context, timeout time.Duration, conditions []condition) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for _, condition := range conditions {
		for {
			err := condition.check(limited)
			if err == nil {
				break
			}
			select {
			case <-retry.C:
			case <-limited.Done():
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return fmt.Errorf("not ready within %v: %s: %w", timeout, condition.name, err)
			}
		}
	}
	return nil
}
