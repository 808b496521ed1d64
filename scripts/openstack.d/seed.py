"""Users, projects, roles and endpoints of the private OpenStack. Run again, it changes nothing.

seed.py KEYSTONE_URL PASSWORD TYPE=ENDPOINT...
"""
import json
import sys
import urllib.parse
import urllib.request

# User -> project -> roles. Each project named here is made, each user gets the password.
GRANTS = {
    "admin": {"admin": ["admin"], "demo": ["admin"]},
    "glance": {"service": ["admin", "service"]},
    "swift": {"service": ["admin", "service"]},
    "moset": {"service": ["admin", "service"]},
    "barred": {"service": ["member"]},
    "demo": {"demo": ["member", "reader"]},
    "alt": {"alt": ["member", "reader"]},
    "viewer": {"demo": ["reader"]},
}


class Keystone:
    def __init__(self, url):
        self.url = url
        self.headers = {"Content-Type": "application/json"}

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, headers=self.headers, data=data)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers, json.loads(answer.read() or b"null")

    def login(self, password):
        user = {"name": "admin", "domain": {"id": "default"}, "password": password}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
        headers, _ = self.call("POST", "/auth/tokens", {"auth": auth})
        self.headers["X-Auth-Token"] = headers["X-Subject-Token"]

    def ensure(self, kind, name, **more):
        """The id of the user, project or role of that name, made if it is missing."""
        _, found = self.call("GET", f"/{kind}s?" + urllib.parse.urlencode({"name": name}))
        if found[kind + "s"]:
            return found[kind + "s"][0]["id"]
        _, made = self.call("POST", f"/{kind}s", {kind: dict(more, name=name)})
        return made[kind]["id"]

    def ensure_endpoint(self, kind, url):
        _, found = self.call("GET", "/services?type=" + kind)
        if found["services"]:
            service = found["services"][0]["id"]
        else:
            _, made = self.call("POST", "/services", {"service": {"type": kind, "name": kind}})
            service = made["service"]["id"]
        _, found = self.call("GET", "/endpoints?service_id=" + service)
        have = {e["interface"]: e for e in found["endpoints"]}
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service, "interface": interface, "url": url, "region_id": "RegionOne"}
            if interface not in have:
                self.call("POST", "/endpoints", {"endpoint": endpoint})
            elif have[interface]["url"] != url:
                self.call("PATCH", "/endpoints/" + have[interface]["id"], {"endpoint": {"url": url}})


def main(url, password, *endpoints):
    keystone = Keystone(url)
    keystone.login(password)
    for user, projects in GRANTS.items():
        user_id = keystone.ensure("user", user, domain_id="default", password=password)
        for project, roles in projects.items():
            project_id = keystone.ensure("project", project, domain_id="default")
            for role in roles:
                role_id = keystone.ensure("role", role)
                keystone.call("PUT", f"/projects/{project_id}/users/{user_id}/roles/{role_id}")
    for endpoint in endpoints:
        keystone.ensure_endpoint(*endpoint.split("=", 1))


main(*sys.argv[1:])
