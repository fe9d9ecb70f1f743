// A network of TCP hosts, routers and point-to-point links in ns-3, as standard input describes it; one line each:
//   nodes COUNT
//   link NODE NODE BITS_PER_SECOND DELAY_NANOSECONDS QUEUE_BYTES      both directions are the same
//   route NODE DESTINATION LINK                                       packets to the node DESTINATION leave by the link
//   flow FROM TO SECONDS BUFFER_BYTES                                 one TCP connection that sends for so long
// Prints one line of JSON: packets that came out at the far end of links, bytes that receivers got, and processor time of the run.
#include <sys/resource.h>
#include <ctime>
#include <iostream>
#include <string>
#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

using namespace ns3;

static uint64_t packetHops = 0;

static void CountArrival(Ptr<const Packet>) { packetHops++; }

static double ProcessorSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct Link {
  uint32_t first, second;
  Ipv4Address firstAddress, secondAddress;
  uint32_t firstInterface, secondInterface;
};

int main() {
  // Full segments over links of 1500 bytes, as our stack with timestamps has them.
  Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
  NodeContainer nodes;
  std::vector<Link> links;
  std::vector<Ipv4Address> addresses;
  ApplicationContainer sinks;
  double end = 0;
  uint16_t port = 5001;
  std::string what;
  while (std::cin >> what) {
    if (what == "nodes") {
      uint32_t count;
      std::cin >> count;
      nodes.Create(count);
      addresses.resize(count);
      InternetStackHelper internet;
      Ipv4StaticRoutingHelper routing;
      internet.SetRoutingHelper(routing);
      internet.SetIpv6StackInstall(false);
      internet.Install(nodes);
    } else if (what == "link") {
      uint32_t first, second, queueBytes;
      uint64_t bitsPerSecond, delay;
      std::cin >> first >> second >> bitsPerSecond >> delay >> queueBytes;
      PointToPointHelper wire;
      wire.SetDeviceAttribute("DataRate", DataRateValue(DataRate(bitsPerSecond)));
      wire.SetChannelAttribute("Delay", TimeValue(NanoSeconds(delay)));
      wire.SetQueue("ns3::DropTailQueue", "MaxSize", QueueSizeValue(QueueSize(QueueSizeUnit::BYTES, queueBytes)));
      NetDeviceContainer devices = wire.Install(nodes.Get(first), nodes.Get(second));
      for (uint32_t side = 0; side < 2; side++)
        devices.Get(side)->TraceConnectWithoutContext("PhyRxEnd", MakeCallback(&CountArrival));
      uint32_t base = 0x0a000000 + 4 * links.size();
      Ipv4AddressHelper subnet(Ipv4Address(base), Ipv4Mask("255.255.255.252"));
      Ipv4InterfaceContainer interfaces = subnet.Assign(devices);
      // No queue but the device's own.
      TrafficControlHelper().Uninstall(devices);
      links.push_back({first, second, interfaces.GetAddress(0), interfaces.GetAddress(1), interfaces.Get(0).second,
                       interfaces.Get(1).second});
      addresses[first] = interfaces.GetAddress(0);
      addresses[second] = interfaces.GetAddress(1);
    } else if (what == "route") {
      uint32_t node, destination, index;
      std::cin >> node >> destination >> index;
      const Link& link = links[index];
      bool isFirst = link.first == node;
      Ipv4StaticRoutingHelper helper;
      helper.GetStaticRouting(nodes.Get(node)->GetObject<Ipv4>())
          ->AddHostRouteTo(addresses[destination], isFirst ? link.secondAddress : link.firstAddress,
                           isFirst ? link.firstInterface : link.secondInterface);
    } else if (what == "flow") {
      uint32_t from, to, bufferBytes;
      double seconds;
      std::cin >> from >> to >> seconds >> bufferBytes;
      Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(bufferBytes));
      Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(bufferBytes));
      PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), port));
      sinks.Add(sink.Install(nodes.Get(to)));
      BulkSendHelper source("ns3::TcpSocketFactory", InetSocketAddress(addresses[to], port));
      source.SetAttribute("SendSize", UintegerValue(1448));
      ApplicationContainer sending = source.Install(nodes.Get(from));
      sending.Start(Seconds(0));
      sending.Stop(Seconds(seconds));
      end = std::max(end, seconds);
      port++;
    } else {
      std::cerr << "what is " << what << "?\n";
      return 2;
    }
  }
  // What waits in send buffers gets through, as in our runs.
  Simulator::Stop(Seconds(end + 1));
  double before = ProcessorSeconds();
  Simulator::Run();
  double seconds = ProcessorSeconds() - before;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < sinks.GetN(); i++) bytes += DynamicCast<PacketSink>(sinks.Get(i))->GetTotalRx();
  std::cout << "{\"packetHops\":" << packetHops << ",\"payloadBytes\":" << bytes << ",\"processorSeconds\":" << seconds
            << "}\n";
  Simulator::Destroy();
}
