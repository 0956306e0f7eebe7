#!/usr/bin/env node
import "../dist/bundle/guestunmount.js";
