#!/usr/bin/env node
import "../dist/guestfs-appliance/main.js";
