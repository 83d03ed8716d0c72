// What is said of a setting that has no effect yet: silence would read as consent.

export const redisNote =
  'REDIS_URL is set and has no effect yet: between processes, text travels by the durable side, some seconds late';
