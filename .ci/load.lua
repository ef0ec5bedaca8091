-- Requests for `.ci/load`: registrations of new subscriptions, reads of lists, of the feed and of one subscription, or both.
local environment = {}
for _, name in ipairs({"PARTNER", "KEY", "CUSTOMER", "MIX", "RUN"}) do
  environment[name] = os.getenv(name)
end

local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local count = 0
local path = "/v1/partners/" .. environment.PARTNER
local read_headers = {["authorization"] = "Bearer " .. environment.KEY}
local write_headers = {["authorization"] = read_headers.authorization, ["content-type"] = "application/json"}
local reads = {"/subscriptions?limit=20", "/events?limit=20", "/customers", "/customers/" .. environment.CUSTOMER}

local function read()
  return wrk.format("GET", path .. reads[count % #reads + 1], read_headers)
end

local function write()
  local id = string.format("load-%s-%d-%024d", environment.RUN, number, count)
  local body = string.format(
    '{"subscription_id":"%s","customer_tenant_id":"%s","service":"azure","offer_id":"azure-plan","quantity":1,'
      .. '"billing_cycle":"monthly","term":"P1M"}', id, environment.CUSTOMER)
  return wrk.format("POST", path .. "/subscriptions", write_headers, body)
end

function request()
  count = count + 1
  if environment.MIX == "write" or (environment.MIX == "mixed" and count % 4 == 0) then
    return write()
  end
  return read()
end

function done(summary, latency)
  local errors = summary.errors
  -- Without a response there is no error either, and nothing was measured.
  if summary.requests == 0 then
    return print("figures | 0 | – | – | – | no response | " .. errors.connect + errors.timeout)
  end
  print(string.format("figures | %d | %.2f | %.2f | %.2f | %d | %d", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
