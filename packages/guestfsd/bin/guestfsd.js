#!/usr/bin/env node
import "../dist/bundle/guestfsd.cjs";
