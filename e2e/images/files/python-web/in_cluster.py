"""A client in the cluster: asks the Kubernetes API for a path with the pod's service account, and prints the answer.

usage: in_cluster.py [PATH], by default the pods of its own namespace. Ends with 1 when the API refuses or is not reached.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def read(name: str) -> str:
    with open(f"{ACCOUNT}/{name}", encoding="utf-8") as file:
        return file.read().strip()


def main() -> int:
    path = sys.argv[1] if len(sys.argv) > 1 else f"/api/v1/namespaces/{read('namespace')}/pods"
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    host = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(f"https://{host}:{port}{path}", headers={"Authorization": "Bearer " + read("token")})
    try:
        context = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
        with urllib.request.urlopen(request, timeout=10, context=context) as response:
            print(response.read().decode())
        return 0
    except urllib.error.HTTPError as refusal:
        print(refusal.code, refusal.read().decode(), file=sys.stderr)
    except OSError as failure:
        print(f"https://{host}:{port}: {failure}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
