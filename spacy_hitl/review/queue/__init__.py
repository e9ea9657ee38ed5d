"""Which text comes next, for whom, and why: lanes, routers, leases."""
