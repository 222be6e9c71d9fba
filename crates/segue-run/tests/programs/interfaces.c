/* What a program finds out about the interfaces of its host. */
#include "check.h"
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

int main(void) {
    struct ifaddrs *all, *i;
    int addresses = 0;
    need(getifaddrs(&all) == 0, "getifaddrs");
    for (i = all; i; i = i->ifa_next)
        addresses += i->ifa_addr && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6);
    say("getifaddrs %d addresses", addresses);
    struct if_nameindex *names = if_nameindex();
    need(names != NULL, "if_nameindex");
    for (struct if_nameindex *n = names; n->if_index; n++) {
        char back[IF_NAMESIZE] = "";
        if_indextoname(n->if_index, back);
        say("if_nameindex %d %s, back %d %s", n->if_index, n->if_name, if_nametoindex(n->if_name), back);
    }
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    char room[1024];
    struct ifconf length = {.ifc_len = -1};
    need(ioctl(s, SIOCGIFCONF, &length) == 0 && length.ifc_len == 2 * sizeof(struct ifreq), "the length alone");
    struct ifconf list = {.ifc_len = sizeof room, .ifc_buf = room};
    need(ioctl(s, SIOCGIFCONF, &list) == 0, "SIOCGIFCONF");
    for (struct ifreq *r = list.ifc_req; (char *)r < room + list.ifc_len; r++) {
        struct ifreq one = *r;
        char address[32], mask[32];
        strcpy(address, inet_ntoa(((struct sockaddr_in *)&r->ifr_addr)->sin_addr));
        need(ioctl(s, SIOCGIFNETMASK, &one) == 0, "SIOCGIFNETMASK");
        strcpy(mask, inet_ntoa(((struct sockaddr_in *)&one.ifr_netmask)->sin_addr));
        need(ioctl(s, SIOCGIFMTU, &one) == 0, "SIOCGIFMTU");
        int mtu = one.ifr_mtu;
        need(ioctl(s, SIOCGIFFLAGS, &one) == 0, "SIOCGIFFLAGS");
        say("listed %s %s mask %s mtu %d %s", r->ifr_name, address, mask, mtu, one.ifr_flags & IFF_LOOPBACK ? "loopback" : "link");
    }
    struct ifreq wrong = {.ifr_name = "nosuch0"};
    const char *unknown = err(ioctl(s, SIOCGIFMTU, &wrong));
    say("unknown %s, changed %s", unknown, err(ioctl(s, SIOCSIFMTU, &wrong)));
    int n = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    need(n >= 0, "a netlink socket");
    struct { struct nlmsghdr h; struct rtgenmsg g; } ask = {
        {sizeof ask, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}, {AF_UNSPEC}};
    need(send(n, &ask, sizeof ask, 0) == sizeof ask, "send");
    int links = 0, ended = 0;
    while (!ended) {
        ssize_t got = recv(n, room, sizeof room, 0);
        need(got > 0, "recv");
        for (struct nlmsghdr *h = (void *)room; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got)) {
            links += h->nlmsg_type == RTM_NEWLINK && h->nlmsg_seq == 7;
            ended |= h->nlmsg_type == NLMSG_DONE;
        }
    }
    say("native send and recv: %d links, then the end", links);
    return 0;
}
