#!/usr/bin/env node
import "../dist/bundle/guestfs-appliance.js";
