#!/usr/bin/env node
import "../dist/guestunmount/main.js";
