// Keeps who this browser is, for a year. Another tab may have been faster: then its cookie stays.
export default function ({ data }) {
  if (document.cookie.split("; ").some((cookie) => cookie.startsWith(`${data.name}=`))) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.name}=${data.value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}
