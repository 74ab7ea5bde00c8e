"""A script as an official writes it, for the tests of drills."""

SCRIPT = """
name: {zh: 门户篡改实操演练, en: Tampered portal}
form: live
kind: comprehensive
lasts: 3h
limits: {acknowledge: 10m, contain: 1h}
people: {answer: 4m, contain: 40m, handle: 90m}
events:
  - at: 20m
    facts: {set: {reposts: "12000"}}
  - at: 0m
    incident:
      class: NAWEBMOD
      asset: portal
      title: {zh: 首页被篡改, en: home page tampered with}
      facts: {homepage_tampered_since: -5m}
  - at: 10m
    incident: {name: second, class: NADOS, title: {zh: 拒绝服务, en: denial of service}}
  - at: 12m
    absent: {role: duty, for: 30m}
  - at: 15m
    message: {to: leader, text: {zh: 记者来电, en: a reporter calls}}
"""
