#!/usr/bin/env node
import "../dist/bundle/guestfs-doctor.js";
